"""The privacy desk: what people may ask of their own data, and the proof that it was done."""
