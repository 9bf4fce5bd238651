"""What one would glue together: a classic VQ-VAE around vector-quantize-pytorch, and a masked transformer."""
