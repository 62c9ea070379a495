"""What the ledger's rows come to: how fast, how safe, how dear, and how sure that is."""
