"""Links: mutual-TLS connections between two devices, one live link per friend device."""
