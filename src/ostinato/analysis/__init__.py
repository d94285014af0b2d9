"""What does a network do inside? Its fixed points, its dynamics, its memory."""
