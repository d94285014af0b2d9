"""What does a network do inside?"""
