"""The hosts of a site: several machines with a worker and web processes each and one database.

Search index, page cache and renditions are each host's own; its row in table `host` says how far it
has followed the outbox. Tasks that change the shared database belong to the host with the lease.
With SQLite there is one host, which has every lease.
"""
