"""A marketplace that speaks Amazon's SP-API: stateful, rate-limited, and faulty on request."""
