/** Where every way of a person without TLS leads to: there is nothing that they could do about it themselves. */
export const NEEDS_TLS =
  'people call with certificates, which need TLS: the operator of the service sets listen.admin to { address, tls: { cert, key } }';
