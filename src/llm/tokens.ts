/** How many tokens a request has, about: for those who have to know it before the provider says so. */
import type { Content } from '../contract/message.js';
import type { HeardMessage, ModelRequest } from './provider.js';

/** English has about four bytes for a token, and so has JSON; other scripts have more bytes for a letter, and more tokens. */
const bytesPerToken = 4;
/** What surrounds a message or a tool. */
const frame = 4;
/** An image or a file, whatever its size: providers count these in ways of their own. */
const media = 1000;

/** The whole request: instructions, tools, messages. */
export function tokensOf(request: ModelRequest): number {
  return request.messages.reduce((sum, heard) => sum + tokensOfMessage(heard), fixedTokens(request));
}

/** What is sent with every request, however short the conversation is. */
export function fixedTokens({ instructions, tools, outputSchema }: ModelRequest): number {
  return frame + textTokens(instructions) + (tools.length > 0 ? jsonTokens(tools) : 0) + (outputSchema ? jsonTokens(outputSchema) : 0);
}

export function tokensOfMessage({ message, rawArguments = {} }: HeardMessage): number {
  return message.contents.reduce((sum, content) => sum + tokensOfContent(content, rawArguments), frame);
}

function tokensOfContent(content: Content, raw: { [callId: string]: string }): number {
  switch (content.$type) {
    case 'text':
      return textTokens(content.text);
    case 'functionCall':
      return frame + textTokens(content.name) + textTokens(raw[content.callId] ?? JSON.stringify(content.arguments ?? {}));
    case 'functionResult':
      return frame + (typeof content.result === 'string' ? textTokens(content.result) : jsonTokens(content.result ?? null));
    case 'data':
    case 'uri':
      return media;
    default:
      return frame;
  }
}

export function textTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / bytesPerToken);
}

function jsonTokens(value: unknown): number {
  return textTokens(JSON.stringify(value));
}
