"""Offline forensic analysis of Microsoft Defender for Cloud's file integrity monitoring events."""

__version__ = "0.1.0"
