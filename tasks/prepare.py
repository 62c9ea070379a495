"""Before anything moves: protections, the plan, and the schema change with a proven backup."""
