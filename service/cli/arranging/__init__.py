"""Arrangements: their texts and their steps."""
