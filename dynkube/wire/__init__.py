"""Requests and conversations as values: nothing here touches a socket, a clock or a thread."""
