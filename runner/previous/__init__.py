"""The previous release on the new schema: what base's application sends must still be understood while head is rolled out."""
