"""Mutation tests: does the suite notice when a line of the site is wrong?"""
