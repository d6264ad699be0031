"""What several checks of documents share: stages of pipelines, and values of documents as text."""
