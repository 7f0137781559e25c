"""Qt models over the node's views: what the widgets show, without a widget."""
