"""Voice calls: who rings whom, who is in, and how it ends. The voices themselves are the matter of `peer.voice`."""
