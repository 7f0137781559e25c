"""The settings: what somebody can choose about this window, its files and its sound."""
