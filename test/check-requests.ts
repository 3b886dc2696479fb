import type { MethodDefinition } from '@grpc/grpc-js';
import { definitionOf } from '../src/authz/server.js';

/** CheckRequest and CheckResponse as proto-loader reads and writes them: the independent second opinion. */
const method = definitionOf('envoy.service.auth.v3.Authorization')['Check'] as MethodDefinition<object, object>;

export const encodeCheckRequest = (request: CheckRequestObject): Buffer => method.requestSerialize(request);
export const decodeCheckRequest = (bytes: Buffer) => method.requestDeserialize(bytes) as CheckRequestObject;
export const decodeAnswer = (bytes: Buffer) => method.responseDeserialize(bytes) as AnswerObject;

export interface CheckRequestObject {
  readonly attributes?: {
    readonly source?: PeerObject | null;
    readonly destination?: PeerObject | null;
    readonly request?: { readonly http?: HttpObject | null } | null;
    readonly contextExtensions?: Readonly<Record<string, string>>;
    readonly tlsSession?: { readonly sni?: string } | null;
  } | null;
}

export interface HttpObject {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly headerMap?: { readonly headers: readonly { key: string; value?: string; rawValue?: Buffer }[] } | null;
}

interface PeerObject {
  readonly principal?: string;
  readonly certificate?: string;
  readonly address?: {
    readonly socketAddress?: { readonly address: string; readonly portValue: number };
    readonly envoyInternalAddress?: { readonly serverListenerName: string };
    readonly pipe?: { readonly path: string };
  } | null;
}

export interface AnswerObject {
  readonly status: { readonly code: number; readonly message: string } | null;
  readonly deniedResponse?: {
    readonly status: { readonly code: string };
    readonly headers: readonly {
      readonly header: { readonly key: string; readonly value: string };
      readonly appendAction: string;
    }[];
    readonly body: string;
  };
  readonly okResponse?: object;
  readonly dynamicMetadata: {
    readonly fields: Readonly<Record<string, { readonly stringValue?: string; readonly numberValue?: number }>>;
  } | null;
}

/** Dynamic metadata as access logs print it. */
export function metadataOf(answer: AnswerObject): Record<string, string | number> {
  const fields = Object.entries(answer.dynamicMetadata?.fields ?? {});
  return Object.fromEntries(fields.map(([key, value]) => [key, value.stringValue ?? value.numberValue ?? '']));
}
