import { z } from 'zod';
import type { Binding } from '../../domain/binding.js';
import type { Connection } from '../../domain/request.js';

const Key = z.string().meta({ description: "SHA-256 of the certificate's public key, in hexadecimal." });

/** What a grant is bound to besides its subject, in answers. */
export const BindingAnswer = z
  .strictObject({
    key: Key.nullable().meta({ description: 'Null: any key.' }),
    sources: z
      .array(z.string())
      .nullable()
      .meta({ description: 'Null: from anywhere.', examples: [['10.0.0.7/32']] }),
  })
  .nullable()
  .meta({ description: 'What the grant is bound to besides its subject; null: to nothing.' });

/** The connection that has asked by waiting, in answers. */
export const ConnectionAnswer = z
  .strictObject({
    source: z.string().meta({ description: 'Where it came from.', examples: ['10.0.0.7:50123'] }),
    key: Key,
    request: z.string().nullable().meta({ description: 'Method and path without the query; null for TCP.' }),
  })
  .nullable()
  .meta({ description: 'The connection that has asked by waiting at the door; null when somebody asked in words.' });

/** How a binding is shown. */
export function bindingView(binding: Binding | undefined): z.output<typeof BindingAnswer> {
  return binding ? { key: binding.key, sources: binding.sources && [...binding.sources] } : null;
}

/** How a connection is shown. */
export function connectionView(connection: Connection | undefined): z.output<typeof ConnectionAnswer> {
  return connection ? { source: connection.source, key: connection.key, request: connection.request } : null;
}
