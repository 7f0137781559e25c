"""The voice of calls: how sound becomes packets, and packets become sound again."""
