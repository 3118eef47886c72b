"""What stewards do: the network, keys, witnesses."""
