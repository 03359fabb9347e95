"""What an earlier plan learnt of specs and lock, so that the next one need not read all of them."""
