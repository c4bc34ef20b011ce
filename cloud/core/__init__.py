"""What every domain of the control plane stands on: requests, errors, policy, states, the door to Celery."""
