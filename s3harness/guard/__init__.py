"""What may leave the machine: texts are searched for whatever tells who a patient is before they do."""
