"""Process `web`: HTTP in, verified, made safe, appended durably. Nothing else."""
