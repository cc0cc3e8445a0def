"""A TCP proxy that can freeze its connections: they stay open, but carry nothing, as after a firewall forgot them.

It can also lead to another server, as the address of a managed server does after a failover.
"""

import threading
from contextlib import suppress
from socket import SHUT_RDWR, create_connection, create_server, socket

_CHUNK = 65536


class FreezableProxy:
    """Listens on its own port, and passes everything on to another port."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._server = create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket, socket]] = []
        self._frozen: set[socket] = set()
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def freeze(self) -> int:
        """Freeze the connections that are open now; new ones work. Return how many were frozen."""
        with self._lock:
            standing = {end for pair in self._pairs for end in pair}
            self._frozen |= standing
            return len(standing) // 2

    def lead_to(self, port: int) -> None:
        """Close the connections that are open now; new ones go to another port."""
        self._target = ("127.0.0.1", port)
        self._close_connections()

    def close(self) -> None:
        """End everything."""
        # close() alone doesn't wake a thread that waits in accept().
        with suppress(OSError):
            self._server.shutdown(SHUT_RDWR)
        self._server.close()
        self._close_connections()

    def _close_connections(self) -> None:
        with self._lock:
            for end in (end for pair in self._pairs for end in pair):
                with suppress(OSError):
                    end.shutdown(SHUT_RDWR)
                end.close()
            self._pairs.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                try:
                    far = create_connection(self._target, timeout=5)
                except OSError:
                    near.close()
                    continue
                far.settimeout(None)
                with self._lock:
                    self._pairs.append((near, far))
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(source, sink), name="pump", daemon=True).start()

    def _pump(self, source: socket, sink: socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(_CHUNK):
                # TCP acknowledges what is dropped here, so neither side can notice.
                if source not in self._frozen:
                    sink.sendall(chunk)
        if source in self._frozen:
            return
        with suppress(OSError):
            sink.shutdown(SHUT_RDWR)
