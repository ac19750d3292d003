"""What feedback is, purely: who is asked, what an answer says, and what follows."""
