"""The window, its sidebar, and what lies over everything: banners and toasts."""
