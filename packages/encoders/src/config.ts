// How the config.json files of other libraries are checked: what is named must fit, what is not named is left alone.
import { ConfigError, describeIssue, type Schema } from '@paris/files';

/**
 * A function that checks a config.json and hands its fields on. Fields that the schema does not name are ignored: other
 * libraries write many that change nothing. It throws a ConfigError that lists every problem.
 * @param tag - starts the message
 * @param what - what the config should describe: `an AutoencoderKL`
 * @param finish - the config; it pushes a phrase for each thing that does not fit together
 */
export function foreignConfigParser<J, C>(
  tag: string,
  what: string,
  schema: Schema<J>,
  finish: (json: J, problems: string[]) => C,
): (json: unknown) => C {
  return (json) => {
    const parsed = schema.safeParse(json);
    const problems = parsed.success ? [] : parsed.error.issues.map((issue) => describeIssue(issue, json));
    const config = parsed.success ? finish(parsed.data, problems) : undefined;
    if (config && problems.length === 0) return config;
    throw new ConfigError(tag, `the config does not describe ${what}: ${problems.join('; ')}.`);
  };
}
