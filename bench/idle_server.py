"""A server that does nothing but answer, to find out how much the load generator could send.

python -m bench.idle_server PORT
"""

import select
import socket
import sys

_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


def main() -> None:
    """Answer 204 to each segment that arrives."""
    poll, lines = select.epoll(), {}
    door = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
    poll.register(door.fileno(), select.EPOLLIN)
    while True:
        for number, _ in poll.poll():
            if number == door.fileno():
                line, _ = door.accept()
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                lines[line.fileno()] = line
                poll.register(line.fileno(), select.EPOLLIN)
                continue
            line = lines[number]
            try:
                is_open = bool(line.recv(65_536))
                if is_open:
                    line.send(_ANSWER)
            except OSError:
                is_open = False
            if not is_open:
                poll.unregister(number)
                del lines[number]
                line.close()


if __name__ == "__main__":
    main()
