"""Moving the content of attachments: pieces over connections of their own, on threads of their own."""
