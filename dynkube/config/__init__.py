"""Where the server is and who we are: kubeconfig files, the pod's service account, and `RESTConfig`."""
