/** A failure that another command is the way out of: the same type, in words that name that command. */
import { fail, failureOf, type FailureType } from '../contract/failure.js';

/** For `catch`. Whatever has no other words stays as it is. */
export function inOtherWords(words: { [Type in FailureType]?: (message: string) => string }): (error: unknown) => never {
  return (error) => {
    const { type, message } = failureOf(error);
    const say = words[type as FailureType];
    throw say === undefined ? error : fail(type as FailureType, say(message), { cause: error });
  };
}
