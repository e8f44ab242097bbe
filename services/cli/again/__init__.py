"""Past items through today's model and policy: which, what they come to, and what is told the router."""
