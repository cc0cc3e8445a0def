"""What more than one process needs: the pure domain, the ledger, the streams, the settings."""
