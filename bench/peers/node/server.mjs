// What a Node team would build: fastify, Seam's own webhook package, one BullMQ job an event (its id makes it unique).
import Fastify from 'fastify'
import { SeamWebhook } from '@seamapi/webhook'
import { Queue } from 'bullmq'

const redis = new URL(process.env.PEER_REDIS_URL)
const connection = { host: redis.hostname, port: Number(redis.port), password: redis.password, maxRetriesPerRequest: null }
const queue = new Queue('seam', { connection, defaultJobOptions: { removeOnComplete: true } })
const webhook = new SeamWebhook(process.env.PEER_SECRET)
const app = Fastify({ logger: false })

app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
app.post('/webhooks/seam', async (request, reply) => {
  let event
  try {
    event = webhook.verify(request.body, request.headers)
  } catch {
    return reply.code(400).send()
  }
  await queue.add(event.event_type, event, { jobId: event.event_id })
  return reply.code(204).send()
})

await queue.waitUntilReady()
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
