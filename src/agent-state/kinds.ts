import type { ExactJson } from './document.js';

/** By kind: the members that the contract knows, with what stands in for those that .NET needs. */
export const kinds: { [kind: string]: { [member: string]: ExactJson | undefined } } = {
  text: { text: '' },
  reasoning: { text: undefined },
  functionCall: { callId: '', name: '', arguments: {} },
  functionResult: { callId: '', result: undefined },
  error: { message: undefined, errorCode: undefined, details: undefined },
  data: { uri: '', mediaType: undefined },
  uri: { uri: '', mediaType: 'application/octet-stream' },
  hostedFile: { fileId: '' },
  hostedVectorStore: { vectorStoreId: '' },
  usage: { usage: {} },
  unknown: { content: {} },
};
