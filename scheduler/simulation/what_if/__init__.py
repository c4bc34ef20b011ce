"""What if: hosts lost or added and ratios changed, on a copy of the live cloud. Nothing is changed in the cloud."""
