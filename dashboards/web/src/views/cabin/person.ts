/** A resident in a few words: sex, age, the end of the number. */
import type { Person } from '../../api/cabin.ts';
import type { Words } from '../../words/zh.ts';

export const facts = (t: Words, person: Person | null | undefined): string =>
  [person?.sex ? t.cabin.sexes[person.sex] : '', person?.age != null ? t.cabin.age(person.age) : '', person?.tail ? `…${person.tail}` : ''].filter(Boolean).join(' · ');
