"""Databases that earlier schema versions wrote, as SQL, and the script that makes them."""
