/** What the workers of docker-compose.yml offer: put your agents here, or let PROJECT_DIR name your own project. */
import { defineAgent } from 'ostinato';

const host = defineAgent({
  name: 'host',
  description: 'Answers questions.',
  instructions: 'You answer in one or two sentences. When you do not know something, you say so.',
});

export default { agents: [host] };
