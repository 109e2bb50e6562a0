"""The operator's side of the SDK: every admin route, by noun. Imported only by `create_admin_client`."""
