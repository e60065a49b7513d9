"""What a test wants of a server and no cluster has: faults, a record of requests, hooks, objects from files."""
