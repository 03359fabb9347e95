"""The application's no, wherever it is said: HTTP 500 with an MX body to a synchronous call, a
FAILURE in the status of an asynchronous one. Section 5.3 of the API notes.
"""


class RefusedError(Exception):
    def __init__(self, exception_type: str, message: str) -> None:
        super().__init__(exception_type, message)
        self.exception_type = exception_type
        self.message = message
