// Whose thinking it is: what another vendor's model has thought, no Claude takes back.

/**
 * Whether some thinking may be signed by Claude, wherever it ran: its signatures are good on every host. They are base64;
 * what is empty is nobody's, and what has a colon is another vendor's in our words (`google-gemini:…`).
 */
export function isClaudeSignature(signature: string): boolean {
  return signature !== '' && !signature.includes(':');
}
