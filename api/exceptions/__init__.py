"""The queue of cases as the people of the VEE desk see it. What may be done with a case is `vee.exceptions.service`."""
