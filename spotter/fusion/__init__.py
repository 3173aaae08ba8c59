"""Several encoders as one: each says what it sees in a video, compared with chance; the sum decides."""
