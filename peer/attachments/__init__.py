"""What every attachment of an account is doing: decided and told on the loop. `peer.transfers` moves the bytes."""
