"""The public pages: numbers, library, questionnaire, safety, and the way out.

No account, no cryptography, nothing sent.
"""
