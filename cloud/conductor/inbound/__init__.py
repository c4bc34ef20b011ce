"""What comes from hosts: who said it is proven, and what it asks for is made anew, before anything else looks at it."""
