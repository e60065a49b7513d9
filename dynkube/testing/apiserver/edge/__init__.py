"""Where the server meets the process: sockets, TLS, the thread with the event loop, the folder of kubeconfigs."""
