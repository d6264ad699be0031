"""What tests of checks on documents ask for."""

from document_judging import judge_documents as judge_documents
